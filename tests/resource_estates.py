"""Small estates written as text, and what the ready-made sets measure in them."""

from __future__ import annotations

import re

import numpy as np

import workbench
from workbench.capacity import discover, questions, shipped_resources
from workbench.capacity.instances import instances
from workbench.window import Window

START_MS = 1_780_272_007_000
"""2026-06-01T00:00:07Z: off the grid of every step."""
HOUR_MS = 3_600_000
MINUTE_MS = 60_000
HOURS = 3
GRID = Window(START_MS + 2 * HOUR_MS - 7_000, START_MS + 3 * HOUR_MS - 7_000, HOUR_MS)

_LINE = re.compile(r"^(?P<name>[\w:]+)(?:\{(?P<labels>.*)\})? (?P<value>\S+)$")
_LABEL = re.compile(r'(\w+)="([^"]*)"')


def estate(text):
    """Series of three hours, a sample a minute: `metric{label="x"} 7`, or `… +7`: 7 a second more.

    `… 9/5` is 9 but for one minute of each half hour, where it is 5.
    """
    times = START_MS + np.arange(HOURS * 60) * MINUTE_MS
    series = []
    for line in filter(None, map(str.strip, text.splitlines())):
        found = _LINE.match(line)
        assert found, line
        labels = {"__name__": found["name"], **dict(_LABEL.findall(found["labels"] or ""))}
        series.append((labels, times, _values(found["value"], times)))
    return series


def _values(text, times):
    if text.startswith("+"):
        return float(text) * (times - START_MS) / 1000
    high, _, low = text.partition("/")
    values = np.full(len(times), float(high))
    if low:
        values[15::30] = float(low)
    return values


def metrics(text):
    """The names of an estate's metrics."""
    return {labels["__name__"] for labels, _, _ in estate(text)}


def measured(text, *sets):
    """What the sets measure last: ``{instance: (usage, limit)}``; no limit is None."""
    return measured_by(text, shipped_resources(*sets))


def measured_by(text, resources):
    """The same of other resources."""
    source = workbench.connect(workbench.snapshot(estate(text)))
    found = discover(metrics(text), resources).usable
    frames = {key: answer.data for key, answer in source.ask_all(questions(found, GRID)).items()}
    result = {}
    for resource in found:
        usage, limit = frames[f"usage {resource.key}"], frames.get(f"limit {resource.key}")
        for each in instances(resource, usage, limit):
            bound = None if each.limit is None else round(float(each.limit[-1]), 6)
            result[each.name] = (round(float(each.usage[-1]), 6), bound)
    return result


# ---------------------------------------------------------------- the estates

KUBERNETES = """
container_cpu_usage_seconds_total{namespace="shop",pod="web-7d9f8b6c5d-x2x4z",container="web",id="a"} +0.5
container_cpu_usage_seconds_total{namespace="shop",pod="web-7d9f8b6c5d-bbbbb",container="web",id="b"} +0.75
container_cpu_usage_seconds_total{namespace="shop",pod="web-7d9f8b6c5d-bbbbb",container="",id="c"} +0.9
container_cpu_usage_seconds_total{namespace="shop",pod="web-7d9f8b6c5d-bbbbb",container="POD",id="d"} +0.9
container_cpu_usage_seconds_total{namespace="shop",pod="db-0",container="db"} +1.5
container_memory_working_set_bytes{namespace="shop",pod="db-0",container="db"} 300
container_memory_working_set_bytes{namespace="shop",pod="db-1",container="db"} 500
container_memory_working_set_bytes{namespace="shop",pod="backup-28374650-z4b5c",container="dump"} 70
container_memory_working_set_bytes{namespace="shop",pod="my-redis",container="redis"} 80
kube_pod_container_resource_limits{namespace="shop",pod="web-7d9f8b6c5d-x2x4z",container="web",resource="cpu",unit="core",node="n1"} 1
kube_pod_container_resource_limits{namespace="shop",pod="web-7d9f8b6c5d-bbbbb",container="web",resource="cpu",unit="core",node="n2"} 2
kube_pod_container_resource_limits{namespace="shop",pod="db-0",container="db",resource="memory",unit="byte",node="n1"} 1000
kube_pod_container_resource_limits{namespace="shop",pod="db-1",container="db",resource="memory",unit="byte",node="n2"} 1000
kube_pod_container_resource_limits{namespace="shop",pod="backup-28374650-z4b5c",container="dump",resource="memory",unit="byte",node="n2"} 100
kube_pod_container_resource_limits{namespace="shop",pod="my-redis",container="redis",resource="memory",unit="byte",node="n2"} 90
kube_pod_container_resource_requests{namespace="shop",pod="db-0",container="db",resource="cpu",unit="core",node="n1"} 1
kube_pod_container_resource_requests{namespace="shop",pod="db-1",container="db",resource="cpu",unit="core",node="n2"} 2
kube_pod_container_resource_requests{namespace="shop",pod="next",container="db",resource="cpu",unit="core",node=""} 4
kube_pod_container_resource_requests{namespace="shop",pod="done",container="db",resource="cpu",unit="core",node="n2"} 8
kube_pod_container_resource_requests{namespace="shop",pod="db-0",container="db",resource="memory",unit="byte",node="n1"} 200
kube_pod_status_phase{namespace="shop",pod="db-0",phase="Running"} 1
kube_pod_status_phase{namespace="shop",pod="db-0",phase="Pending"} 0
kube_pod_status_phase{namespace="shop",pod="db-1",phase="Running"} 1
kube_pod_status_phase{namespace="shop",pod="next",phase="Pending"} 1
kube_pod_status_phase{namespace="shop",pod="done",phase="Succeeded"} 1
kube_pod_status_phase{namespace="shop",pod="done",phase="Running"} 0
kube_pod_info{namespace="shop",pod="db-0",node="n1",uid="1"} 1
kube_pod_info{namespace="shop",pod="db-1",node="n2",uid="2"} 1
kube_pod_info{namespace="shop",pod="done",node="n2",uid="3"} 1
kube_pod_info{namespace="shop",pod="next",node="",uid="4"} 1
kube_node_status_allocatable{node="n1",resource="cpu",unit="core"} 4
kube_node_status_allocatable{node="n2",resource="cpu",unit="core"} 8
kube_node_status_allocatable{node="n1",resource="memory",unit="byte"} 4000
kube_node_status_allocatable{node="n1",resource="pods",unit="integer"} 4
kube_node_status_allocatable{node="n2",resource="pods",unit="integer"} 10
kube_resourcequota{namespace="shop",resourcequota="team",resource="requests.cpu",type="used"} 6
kube_resourcequota{namespace="shop",resourcequota="team",resource="requests.cpu",type="hard"} 10
kube_resourcequota{namespace="shop",resourcequota="team",resource="limits.memory",type="used"} 60
kube_resourcequota{namespace="shop",resourcequota="team",resource="limits.memory",type="hard"} 100
kube_resourcequota{namespace="shop",resourcequota="team",resource="gold.storageclass.storage.k8s.io/requests.storage",type="used"} 1
kube_resourcequota{namespace="shop",resourcequota="team",resource="gold.storageclass.storage.k8s.io/requests.storage",type="hard"} 2
kube_resourcequota{namespace="shop",resourcequota="team",resource="pods",type="used"} 3
kube_resourcequota{namespace="shop",resourcequota="team",resource="pods",type="hard"} 30
kube_resourcequota{namespace="shop",resourcequota="team",resource="services.loadbalancers",type="used"} 0
kube_resourcequota{namespace="shop",resourcequota="team",resource="services.loadbalancers",type="hard"} 0
kube_horizontalpodautoscaler_status_desired_replicas{namespace="shop",horizontalpodautoscaler="web"} 4
kube_horizontalpodautoscaler_spec_max_replicas{namespace="shop",horizontalpodautoscaler="web"} 5
kube_horizontalpodautoscaler_spec_min_replicas{namespace="shop",horizontalpodautoscaler="web"} 2
kube_horizontalpodautoscaler_status_desired_replicas{namespace="shop",horizontalpodautoscaler="fixed"} 2
kube_horizontalpodautoscaler_spec_max_replicas{namespace="shop",horizontalpodautoscaler="fixed"} 2
kube_horizontalpodautoscaler_spec_min_replicas{namespace="shop",horizontalpodautoscaler="fixed"} 2
kubelet_volume_stats_used_bytes{namespace="shop",persistentvolumeclaim="data",instance="n1"} 70
kubelet_volume_stats_used_bytes{namespace="shop",persistentvolumeclaim="data",instance="n2"} 71
kubelet_volume_stats_capacity_bytes{namespace="shop",persistentvolumeclaim="data",instance="n1"} 100
kubelet_volume_stats_capacity_bytes{namespace="shop",persistentvolumeclaim="data",instance="n2"} 100
kubelet_volume_stats_inodes_used{namespace="shop",persistentvolumeclaim="data",instance="n1"} 5
kubelet_volume_stats_inodes{namespace="shop",persistentvolumeclaim="data",instance="n1"} 50
kubelet_volume_stats_inodes_used{namespace="shop",persistentvolumeclaim="tree",instance="n1"} 0
kubelet_volume_stats_inodes{namespace="shop",persistentvolumeclaim="tree",instance="n1"} 0
"""

JVM = """
jvm_memory_used_bytes{job="shop",instance="a",area="heap",id="G1 Eden Space"} 400/0
jvm_memory_used_bytes{job="shop",instance="a",area="heap",id="G1 Old Gen"} 500/300
jvm_memory_used_bytes{job="shop",instance="a",area="nonheap",id="Metaspace"} 60
jvm_memory_used_bytes{job="shop",instance="a",area="nonheap",id="CodeHeap 'profiled nmethods'"} 30
jvm_memory_used_bytes{job="shop",instance="a",area="nonheap",id="CodeHeap 'non-nmethods'"} 10
jvm_memory_max_bytes{job="shop",instance="a",area="heap",id="G1 Eden Space"} -1
jvm_memory_max_bytes{job="shop",instance="a",area="heap",id="G1 Old Gen"} 1000
jvm_memory_max_bytes{job="shop",instance="a",area="nonheap",id="Metaspace"} -1
jvm_memory_max_bytes{job="shop",instance="a",area="nonheap",id="CodeHeap 'profiled nmethods'"} 100
jvm_memory_max_bytes{job="shop",instance="a",area="nonheap",id="CodeHeap 'non-nmethods'"} 60
jvm_memory_used_bytes{job="shop",instance="b",area="heap",id="G1 Old Gen"} 100
jvm_memory_max_bytes{job="shop",instance="b",area="heap",id="G1 Old Gen"} 200
jvm_gc_pause_seconds_sum{job="shop",instance="a",action="end of minor GC",cause="G1"} +0.01
jvm_gc_pause_seconds_sum{job="shop",instance="a",action="end of major GC",cause="G1"} +0.04
jvm_gc_pause_seconds_sum{job="shop",instance="b",action="end of minor GC",cause="G1"} +0.02
jvm_threads_live_threads{job="shop",instance="a"} 90
process_files_open_files{job="shop",instance="a"} 25
process_files_max_files{job="shop",instance="a"} 100
"""

JVM_CLIENT = """
jvm_memory_used_bytes{job="old",instance="c",area="heap"} 40
jvm_memory_max_bytes{job="old",instance="c",area="heap"} 80
jvm_memory_pool_used_bytes{job="old",instance="c",pool="Metaspace"} 30
jvm_memory_pool_max_bytes{job="old",instance="c",pool="Metaspace"} 40
jvm_gc_collection_seconds_sum{job="old",instance="c",gc="G1 Young Generation"} +0.125
"""

JVM_CLIENT_BEFORE_1 = """
jvm_memory_bytes_used{job="old",instance="c",area="heap"} 40
jvm_memory_bytes_max{job="old",instance="c",area="heap"} 80
jvm_memory_pool_bytes_used{job="old",instance="c",pool="Code Cache"} 10
jvm_memory_pool_bytes_max{job="old",instance="c",pool="Code Cache"} 40
"""

JAVA_POOLS = """
hikaricp_connections_active{job="shop",instance="a",pool="main"} 9
hikaricp_connections_max{job="shop",instance="a",pool="main"} 10
hikaricp_connections_active{job="shop",instance="b",pool="main"} 9
hikaricp_connections_max{job="shop",instance="b",pool="main"} 20
jdbc_connections_active{job="shop",instance="a",name="dataSource"} 9
jdbc_connections_max{job="shop",instance="a",name="dataSource"} 10
jdbc_connections_active{job="till",instance="c",name="dataSource"} 3
jdbc_connections_max{job="till",instance="c",name="dataSource"} 4
tomcat_threads_busy_threads{job="shop",instance="a",name="http-nio-8080"} 50
tomcat_threads_config_max_threads{job="shop",instance="a",name="http-nio-8080"} 200
tomcat_connections_current_connections{job="shop",instance="a",name="http-nio-8080"} 81
tomcat_connections_config_max_connections{job="shop",instance="a",name="http-nio-8080"} 8192
"""

SERVERS = """
pg_stat_activity_count{job="pg",instance="p1",server="db:5432",datname="shop",state="active"} 20
pg_stat_activity_count{job="pg",instance="p1",server="db:5432",datname="shop",state="idle"} 30
pg_settings_max_connections{job="pg",instance="p1",server="db:5432"} 100
pg_settings_superuser_reserved_connections{job="pg",instance="p1",server="db:5432"} 3
pgbouncer_pools_server_active_connections{job="bouncer",instance="b1",database="shop",user="web"} 12
pgbouncer_pools_server_active_connections{job="bouncer",instance="b1",database="shop",user="batch"} 2
pgbouncer_pools_client_active_connections{job="bouncer",instance="b1",database="shop",user="web"} 40
pgbouncer_pools_client_waiting_connections{job="bouncer",instance="b1",database="shop",user="web"} 5
pgbouncer_databases_pool_size{job="bouncer",instance="b1",name="shop",database="shop_production",host="db"} 15
pgbouncer_config_max_client_connections{job="bouncer",instance="b1"} 500
mysql_global_status_threads_connected{job="my",instance="m1"} 7
mysql_global_variables_max_connections{job="my",instance="m1"} 151
mysql_info_schema_auto_increment_column{job="my",instance="m1",schema="shop",table="orders",column="id"} 2000000000
mysql_info_schema_auto_increment_column_max{job="my",instance="m1",schema="shop",table="orders",column="id"} 2147483647
redis_memory_used_bytes{job="redis",instance="store"} 60
redis_memory_max_bytes{job="redis",instance="store"} 100
redis_instance_info{job="redis",instance="store",maxmemory_policy="noeviction",redis_version="7.2.4"} 1
redis_memory_used_bytes{job="redis",instance="cache"} 100
redis_memory_max_bytes{job="redis",instance="cache"} 100
redis_instance_info{job="redis",instance="cache",maxmemory_policy="allkeys-lru",redis_version="7.2.4"} 1
redis_memory_used_bytes{job="redis",instance="free"} 100
redis_memory_max_bytes{job="redis",instance="free"} 0
redis_connected_clients{job="redis",instance="store"} 11
redis_config_maxclients{job="redis",instance="store"} 10000
rabbitmq_process_resident_memory_bytes{job="mq",instance="r1"} 2
rabbitmq_resident_memory_limit_bytes{job="mq",instance="r1"} 8
rabbitmq_process_open_fds{job="mq",instance="r1"} 30
rabbitmq_process_max_fds{job="mq",instance="r1"} 1024
rabbitmq_erlang_processes_used{job="mq",instance="r1"} 400
rabbitmq_erlang_processes_limit{job="mq",instance="r1"} 1048576
vllm:kv_cache_usage_perc{job="vllm",model_name="llama",engine="0"} 0.25
vllm:kv_cache_usage_perc{job="vllm",model_name="llama",engine="1"} 0.5
vllm:gpu_cache_usage_perc{job="vllm",model_name="llama",engine="1"} 0.5
node_network_receive_bytes_total{instance="n1",device="eth0"} +1000
node_network_receive_bytes_total{instance="n1",device="lo"} +9000
node_network_receive_bytes_total{instance="n2",device="eth0"} +1000
node_network_transmit_bytes_total{instance="n1",device="eth0"} +2000
node_network_speed_bytes{instance="n1",device="eth0"} 125000
node_network_speed_bytes{instance="n2",device="eth0"} -125000
"""

LITELLM = """
litellm_total_tokens_metric_total{model="gpt-4o",model_id="m1",api_provider="openai",team="a"} +100
litellm_total_tokens_metric_total{model="gpt-4o",model_id="m1",api_provider="openai",team="b"} +50
litellm_total_tokens_metric_total{model="gpt-4o",model_id="m2",api_provider="openai",team="b"} +50
litellm_deployment_tpm_limit{litellm_model_name="gpt-4o",model_id="m1",api_provider="openai",api_base="x",instance="p1"} 30000
litellm_deployment_tpm_limit{litellm_model_name="gpt-4o",model_id="m1",api_provider="openai",api_base="x",instance="p2"} 30000
litellm_deployment_total_requests_total{litellm_model_name="gpt-4o",model_id="m1",api_provider="openai",team="a"} +0.5
litellm_deployment_rpm_limit{litellm_model_name="gpt-4o",model_id="m1",api_provider="openai",api_base="x",instance="p1"} 60
"""

GATEWAY = """
llm_gateway_input_tokens_total{provider="openai",model="gpt-4o",team="a"} +90
llm_gateway_input_tokens_total{provider="openai",model="gpt-4o",team="b"} +5
llm_gateway_output_tokens_total{provider="openai",model="gpt-4o",team="a"} +5
llm_gateway_input_tokens_total{provider="openai",model="o3",team="a"} +1
llm_gateway_output_tokens_total{provider="openai",model="o3",team="a"} +1
kafka_consumergroup_lag{job="kafka",consumergroup="mail",topic="orders",partition="0"} 40
kafka_consumergroup_lag{job="kafka",consumergroup="mail",topic="orders",partition="1"} 2
kafka_consumergroup_lag{job="kafka",consumergroup="mail",topic="orders",partition="2"} -1
gen_ai_client_token_usage_sum{gen_ai_system="openai",gen_ai_request_model="o3",gen_ai_token_type="input"} +2
gen_ai_client_token_usage_sum{gen_ai_system="openai",gen_ai_request_model="o3",gen_ai_token_type="output"} +1
gen_ai_client_token_usage_sum{gen_ai_system="openai",gen_ai_request_model="o3",gen_ai_token_type="cached_input"} +9
"""

GO = """
go_memstats_sys_bytes{job="api",instance="a"} 100
go_memstats_heap_released_bytes{job="api",instance="a"} 40
go_gc_gomemlimit_bytes{job="api",instance="a"} 90
go_memstats_sys_bytes{job="api",instance="unlimited"} 100
go_memstats_heap_released_bytes{job="api",instance="unlimited"} 40
go_gc_gomemlimit_bytes{job="api",instance="unlimited"} 9223372036854775807
go_memstats_sys_bytes{job="prometheus",instance="p"} 1000
go_memstats_heap_released_bytes{job="prometheus",instance="p"} 100
go_gc_gomemlimit_bytes{job="prometheus",instance="p"} 1800
prometheus_tsdb_head_series{job="prometheus",instance="p"} 5
"""

EVERYTHING = KUBERNETES + JVM + JVM_CLIENT_BEFORE_1 + JAVA_POOLS + SERVERS + LITELLM + GATEWAY + GO
