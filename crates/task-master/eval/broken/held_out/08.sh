node - <<'END'
const a=require('assert');const {page}=require('./pages');a.deepStrictEqual(page([1,2,3,4,5,6,7],2,3),[4,5,6]);a.deepStrictEqual(page([1,2,3],1,3),[1,2,3]);a.deepStrictEqual(page([1,2,3],2,3),[]);
END
