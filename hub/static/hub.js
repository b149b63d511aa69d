// How much of an upload has gone; everything works without it.
document.addEventListener("htmx:xhr:progress", function (event) {
  var bar = document.getElementById("progress");
  if (bar && event.detail.lengthComputable) {
    bar.value = (100 * event.detail.loaded) / event.detail.total;
  }
});
