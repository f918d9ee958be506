node test/store.js
