const axios = require("axios");
const express = require("express");

const app = express();
const STOCK_URL = "https://stock.example.org";

app.post("/import", async (req, res) => {
  // ruleid: javascript-server-side-request-forgery
  const feed = await axios.get(req.body.url);
  res.send(feed.data);
});

app.get("/status", async (req, res) => {
  const { host } = req.query;
  // ruleid: javascript-server-side-request-forgery
  const answer = await fetch(`http://${host}/status`);
  res.send(await answer.text());
});

app.get("/quote", async (req, res) => {
  const url = req.query.url + req.query.symbol;
  // ruleid: javascript-server-side-request-forgery
  const answer = await axios.get(url);
  res.send(answer.data);
});

app.get("/stock/:sku", async (req, res) => {
  // ok: javascript-server-side-request-forgery
  const answer = await fetch(`${STOCK_URL}/items/${req.params.sku}`);
  res.send(await answer.text());
});

app.post("/send", async (req, res) => {
  // ok: javascript-server-side-request-forgery
  await axios.post("https://hooks.example.org/in", { text: req.body.text });
  res.end();
});
