"""Words that passwords are commonly made of, in the four languages of our users, and keyboard walks.

Owns: text files, one list a language, entries between commas, `#` before a comment. Written by hand for
this product: frequent words (greetings, love, family, animals, food, seasons, months, colours, work, sport
and clubs, songs, films, swearing), first names, and places, in French, German, Italian and English, each
with the phrases people make of them («je t’aime», «forza italia»). `keyboards.txt` was generated from the
rows of QWERTY, QWERTZ and AZERTY: runs of four keys or more, columns and zigzags, forwards and
backwards, and runs of the alphabet. Years, digits, case, accents and leet spelling are in no list:
`idp.accounts.common.normalise` takes them away. Never: code.
"""
