// Before anything is painted: the theme that the reader chose, if one was chosen.
(function () {
  "use strict";
  document.documentElement.classList.add("js");
  try {
    const chosen = localStorage.getItem("workbench-theme");
    if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
  } catch {
    // A page opened from disk may have no storage; it then follows the system.
  }
})();
