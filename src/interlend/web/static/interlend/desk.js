// Two comforts of the desk pages: the slip of a scan opens by itself where the person chose so, and arrow keys walk
// through a list of results. Strategy: pages work without this file. Follows pages.md, "A scan" and "Pages worth care".
(function () {
  "use strict";

  // --- slips: "Print" beside the scan box opens the new row's slip in the small slip window ---------------------------

  document.addEventListener("htmx:load", function (event) {
    const row = event.detail.elt;
    const wish = document.querySelector("select[data-slips]");
    if (!wish || wish.value !== "print" || !row.matches(".row[data-meaning]")) return;
    const slip = row.querySelector("a[data-slip]");
    if (slip) window.open(slip.href, "slip", "popup,width=480,height=720");
  });

  // --- results: down from the search box to the first row, up and down between rows, Enter opens (it is a link) --------

  const links = () => Array.from(document.querySelectorAll("[data-walk] tbody tr")).map((row) => row.querySelector("a")).filter(Boolean);

  document.addEventListener("keydown", function (event) {
    if ((event.key !== "ArrowDown" && event.key !== "ArrowUp") || event.altKey || event.ctrlKey || event.metaKey) return;
    const active = document.activeElement;
    const found = links();
    const box = document.querySelector("[data-walk-from]");
    if (!found.length || (active !== box && !active.closest("[data-walk] tbody"))) return;
    const at = found.findIndex((link) => link.closest("tr").contains(active));
    const next = at + (event.key === "ArrowDown" ? 1 : -1);
    event.preventDefault();
    if (next < 0 && box) { box.focus(); box.select(); }
    else if (found[next]) found[next].focus();
  });
})();
