function richerThan(stocks, threshold) {
  // ruleid: javascript-mongo-where
  return stocks.find({ $where: `this.count > ${threshold}` });
}

function ownedBy(stocks, user) {
  // ruleid: javascript-mongo-where
  return stocks.find({ "$where": "this.owner == '" + user + "'" });
}

function rich(stocks) {
  // ok: javascript-mongo-where
  return stocks.find({ $where: "this.count > 10" });
}

function richerThanNumber(stocks, threshold) {
  // ok: javascript-mongo-where
  return stocks.find({ count: { $gt: Number(threshold) } });
}
