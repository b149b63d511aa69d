// How much of an upload has gone; everything works without it.
document.addEventListener("htmx:xhr:progress", function (event) {
  var bar = document.getElementById("progress");
  if (bar && event.detail.lengthComputable) {
    bar.value = (100 * event.detail.loaded) / event.detail.total;
  }
});
// What the hub refuses, it says on a page of its own, whichever part of a page had asked.
document.addEventListener("htmx:beforeSwap", function (event) {
  if (event.detail.xhr.status >= 400) {
    event.detail.shouldSwap = true;
    event.detail.isError = false;
    event.detail.target = document.body;
    event.detail.selectOverride = "unset";
    event.detail.swapOverride = "innerHTML";
  }
});
