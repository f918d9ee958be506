node - <<'END'
const a=require('assert');const {longest}=require('./words');a.strictEqual(longest('one three seven'),'three');a.strictEqual(longest('x'),'x');
END
