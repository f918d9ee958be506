node - <<'END'
const {total}=require('./store');total(['milk','milk','tea']).then(s=>{if(s!==8)throw new Error('no')});
END
