node pages.test.js
