# Copies every file of the first directory to the second one.
mkdir -p "$2"
for file in "$1"/*; do
    cp $file "$2"
done
