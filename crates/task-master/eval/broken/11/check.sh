python3 -m unittest -q tests/test_post.py
