const { parse } = require('./lib/parse');

// What an order costs.
function cost(lines) {
  let sum = 0;
  for (const line of lines) {
    sum += parse(line).price;
  }
  return sum;
}

module.exports = { cost };
