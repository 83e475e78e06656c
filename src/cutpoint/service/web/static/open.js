// The token leaves the address, and what "back" goes through; the browser's list of pages may keep it.
location.replace(document.getElementById("on").href);
