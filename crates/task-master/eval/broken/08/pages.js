// The items of a page; the first page is 1.
function page(items, number, size) {
  const start = number * size;
  return items.slice(start, start + size);
}

// How many pages there are.
function pages(items, size) {
  return Math.ceil(items.length / size);
}

module.exports = { page, pages };
