// What is owed and whether it was paid change by themselves: the page loads itself anew, or
// goes back to the first one where it says so.
const { seconds, then } = document.body.dataset;
setTimeout(() => {
  if (then) location.replace(then);
  else location.reload();
}, Number(seconds) * 1000);
