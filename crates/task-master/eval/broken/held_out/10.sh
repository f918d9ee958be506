node - <<'END'
const a=require('assert');const {cost}=require('./order');a.strictEqual(cost(['a,10','b,20','c,1']),31);a.strictEqual(cost([]),0);
END
