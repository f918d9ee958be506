node - <<'END'
const a=require('assert');const {ranking}=require('./ranking');a.deepStrictEqual(ranking([1,10,2,33]),[33,10,2,1]);
END
