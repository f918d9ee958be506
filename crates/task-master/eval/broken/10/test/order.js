const assert = require('node:assert');
const { cost } = require('../order');

assert.strictEqual(cost(['tea,3', 'milk,2']), 5);
