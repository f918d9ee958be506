node test/order.js
