function show(text) {
  document.getElementById("out").innerHTML =
    location.hash.slice(1);
}
