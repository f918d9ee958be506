// A line `name,price` of an order.
function parse(line) {
  const [name, price] = line.split(',');
  return { name, price };
}

module.exports = { parse };
