(function () {
  var form = document.getElementById("filter");
  if (!form) return;
  form.hidden = false;
  var text = form.querySelector("input[type=search]");
  var boxes = Array.prototype.slice.call(form.querySelectorAll("input[type=checkbox]"));
  var told = form.querySelector("output");
  var profiles = Array.prototype.slice.call(document.querySelectorAll(".profile"));
  var rows = Array.prototype.slice.call(document.querySelectorAll(".cases > tbody > tr:not(.more)"));
  var words = rows.map(function () { return ""; });
  function apply() {
    var wanted = text.value.trim().toLowerCase();
    var states = boxes.filter(function (one) { return one.checked; }).map(function (one) { return one.value; });
    var shown = 0;
    rows.forEach(function (row, at) {
      if (wanted && !words[at]) words[at] = row.textContent.toLowerCase();
      var good = states.indexOf(row.className.slice(2)) >= 0 && (!wanted || words[at].indexOf(wanted) >= 0);
      row.hidden = !good;
      var more = row.nextElementSibling;
      if (more && more.className === "more") more.hidden = !good;
      shown += good ? 1 : 0;
    });
    profiles.forEach(function (one) { one.hidden = !one.querySelector(".cases > tbody > tr:not([hidden]):not(.more)"); });
    told.textContent = shown + " / " + rows.length;
  }
  var waiting = 0;
  text.addEventListener("input", function () { clearTimeout(waiting); waiting = setTimeout(apply, 120); });
  boxes.forEach(function (one) { one.addEventListener("change", apply); });
  form.addEventListener("submit", function (event) { event.preventDefault(); apply(); });
  apply();
  function unfold() {
    var one = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    for (; one; one = one.parentElement) { one.hidden = false; if (one.tagName === "DETAILS") one.open = true; }
  }
  window.addEventListener("hashchange", unfold);
  unfold();
  var folded = [];
  window.addEventListener("beforeprint", function () {
    folded = Array.prototype.slice.call(document.querySelectorAll("details:not([open])"));
    folded.forEach(function (one) { one.open = true; });
  });
  window.addEventListener("afterprint", function () { folded.forEach(function (one) { one.open = false; }); });
})();
