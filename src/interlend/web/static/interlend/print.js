// Slip pages: the print button, and printing by itself when the page was opened with ?print=1. A window that was opened
// for one slip closes after printing, so that the focus is back at the desk page without a click.
(function () {
  "use strict";
  document.addEventListener("click", function (event) {
    if (event.target.closest("[data-print-now]")) window.print();
  });
  if (document.body.dataset.print !== "1") return;
  window.addEventListener("afterprint", function () {
    if (window.opener) window.close();
  });
  window.addEventListener("load", function () { window.print(); });
})();
