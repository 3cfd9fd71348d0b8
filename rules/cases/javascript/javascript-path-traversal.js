const express = require("express");
const fs = require("fs");
const path = require("path");

const app = express();
const FOLDER = "/srv/invoices";

app.get("/invoice", (req, res) => {
  // ruleid: javascript-path-traversal
  res.sendFile(path.join(FOLDER, req.query.name));
});

app.get("/note/:name", (req, res) => {
  const target = FOLDER + "/" + req.params.name;
  // ruleid: javascript-path-traversal
  fs.readFile(target, (error, content) => res.send(content));
});

app.get("/invoice2", (req, res) => {
  // ok: javascript-path-traversal
  res.sendFile(req.query.name, { root: FOLDER });
});

app.get("/note2/:name", (req, res) => {
  const target = path.resolve(FOLDER, req.params.name);
  if (!target.startsWith(FOLDER + path.sep)) {
    return res.status(404).end();
  }
  // ok: javascript-path-traversal
  return fs.readFile(target, (error, content) => res.send(content));
});

app.get("/note3/:name", (req, res) => {
  // ok: javascript-path-traversal
  res.sendFile(path.join(FOLDER, path.basename(req.params.name)));
});
