const assert = require('node:assert');
const { total } = require('../store');

total(['tea', 'milk']).then((sum) => assert.strictEqual(sum, 6));
