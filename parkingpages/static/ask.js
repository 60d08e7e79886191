// A ticket's QR code leads here with its code behind the #, which no server sees.
const ticket = new URLSearchParams(location.hash.slice(1)).get("t");
if (ticket) {
  document.getElementById("ticket").value = ticket.slice(0, 64);
  history.replaceState(null, "", location.pathname + location.search);
  document.querySelector("form").requestSubmit();
}
