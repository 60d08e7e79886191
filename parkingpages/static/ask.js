// A ticket's QR code leads here with its code behind the #, which no server sees; a shop's QR
// code with what it gives, which is used once the stay is found.
const hash = new URLSearchParams(location.hash.slice(1));
const ticket = hash.get("t"), given = hash.get("v");
if (ticket || given) history.replaceState(null, "", location.pathname + location.search);
if (given) {
  document.getElementById("code").value = given.slice(0, 20);
  document.getElementById("brought").hidden = false;
}
if (ticket) {
  document.getElementById("ticket").value = ticket.slice(0, 64);
  document.querySelector("form").requestSubmit();
}
