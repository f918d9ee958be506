const assert = require('node:assert');
const { page, pages } = require('./pages');

const items = ['a', 'b', 'c', 'd', 'e'];
assert.strictEqual(pages(items, 2), 3);
assert.deepStrictEqual(page(items, 1, 2), ['a', 'b']);
assert.deepStrictEqual(page(items, 3, 2), ['e']);
