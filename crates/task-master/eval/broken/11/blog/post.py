from blog.slug import slug


def address(title):
    return "/posts/" + slug(title)
