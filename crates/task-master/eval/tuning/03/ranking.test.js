const assert = require('node:assert');
const { ranking } = require('./ranking');

assert.deepStrictEqual(ranking([9, 100, 25]), [100, 25, 9]);
