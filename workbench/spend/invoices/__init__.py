"""Invoices of providers: any CSV, read by a mapping, into lines of one form."""

from workbench.spend.invoices.detecting import choose_mapping, detect_mapping
from workbench.spend.invoices.joining import join_invoices
from workbench.spend.invoices.lines import Invoice, InvoiceLine, LineKind
from workbench.spend.invoices.mapping import InvoiceColumns, InvoiceMapping, InvoiceRule
from workbench.spend.invoices.mappings import load_mapping, mapping_names, shipped_mapping
from workbench.spend.invoices.reading import load_invoice, read_invoice

__all__ = [
    "Invoice",
    "InvoiceColumns",
    "InvoiceLine",
    "InvoiceMapping",
    "InvoiceRule",
    "LineKind",
    "choose_mapping",
    "detect_mapping",
    "join_invoices",
    "load_invoice",
    "load_mapping",
    "mapping_names",
    "read_invoice",
    "shipped_mapping",
]
