function showName() {
  const name = decodeURIComponent(location.hash.slice(1));
  // ruleid: javascript-dom-xss
  document.getElementById("name").innerHTML = "Hello " + name;
}

function showSearch() {
  const query = new URLSearchParams(window.location.search).get("q");
  // ruleid: javascript-dom-xss
  document.write("<p>You searched for " + query + "</p>");
}

function showNameAsText() {
  // ok: javascript-dom-xss
  document.getElementById("name").textContent = location.hash.slice(1);
}

function showClean() {
  const query = new URLSearchParams(window.location.search).get("q");
  // ok: javascript-dom-xss
  document.getElementById("query").innerHTML = DOMPurify.sanitize(query);
}

function showPage() {
  const page = parseInt(location.hash.slice(1), 10);
  // ok: javascript-dom-xss
  document.getElementById("page").innerHTML = `<b>${page}</b>`;
}
