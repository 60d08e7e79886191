// A link leads here with its code behind the #, which no server sees.
const code = new URLSearchParams(location.hash.slice(1)).get("k");
if (code) {
  document.getElementById("code").value = code.slice(0, 64);
  history.replaceState(null, "", location.pathname + location.search);
  document.getElementById("show").requestSubmit();
}
