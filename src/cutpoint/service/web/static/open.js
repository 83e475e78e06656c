location.replace(document.getElementById("on").href); // the token leaves the address and the history
