const ejs = require("ejs");
const express = require("express");
const handlebars = require("handlebars");

const app = express();

app.post("/preview", (req, res) => {
  // ruleid: javascript-template-injection
  res.send(ejs.render(req.body.template, { order: null }));
});

app.post("/mail", (req, res) => {
  const source = "Dear " + req.body.name + ", {{ text }}";
  // ruleid: javascript-template-injection
  const template = handlebars.compile(source);
  res.send(template({ text: "thank you" }));
});

app.post("/preview2", (req, res) => {
  // ok: javascript-template-injection
  res.send(ejs.render("<p><%= name %></p>", { name: req.body.name }));
});

app.post("/mail2", (req, res) => {
  // ok: javascript-template-injection
  const template = handlebars.compile("Dear {{ name }}");
  res.send(template({ name: req.body.name }));
});
