const express = require("express");
const { pool, db } = require("./database");

const app = express();

app.get("/orders", async (req, res) => {
  const customer = req.query.customer;
  // ruleid: javascript-sql-injection
  const rows = await pool.query(`SELECT * FROM orders WHERE customer = '${customer}'`);
  res.json(rows);
});

app.get("/orders/:reference", (req, res) => {
  const statement = "SELECT * FROM orders WHERE reference = '" + req.params.reference + "'";
  // ruleid: javascript-sql-injection
  db.get(statement, (error, row) => res.json(row));
});

app.get("/invoices", async (req, res) => {
  // ok: javascript-sql-injection
  const rows = await pool.query("SELECT * FROM invoices WHERE customer = $1", [req.query.customer]);
  res.json(rows);
});

app.get("/page", async (req, res) => {
  const offset = parseInt(req.query.offset, 10);
  // ok: javascript-sql-injection
  const rows = await pool.query(`SELECT * FROM orders LIMIT 20 OFFSET ${offset}`);
  res.json(rows);
});

app.get("/setting", (req, res) => {
  // A request's own header, not a database.
  // ok: javascript-sql-injection
  res.send(req.get(req.query.name));
});
