class Stock:
    def __init__(self):
        self.pieces = {}

    def receive(self, article, pieces):
        self.pieces[article] = self.pieces[article] + pieces

    def count(self, article):
        return self.pieces.get(article, 0)
