"""Windows: hashed features of a word and its neighbours, batch by batch.

A word has features of its own (itself in lower case, prefixes and suffixes of one to
four letters, its shape, its character trigrams), of its two neighbours (the word,
suffixes, shape) and of those next to them (the word). Each becomes one of n inputs by a
hash of its text (Weinberger et al., 2009); those that collide add up.
"""

import zlib

import numpy as np
from scipy.sparse import csr_array

OUTSIDE = "<outside>"  # beyond the ends of a sentence
OFFSETS = -2, -1, 0, 1, 2


def shape(word):
    """Letters as X and x, digits as 0, repetitions once."""
    kinds = []
    for letter in word:
        kind = "0" if letter.isdigit() else "x" if letter.isalpha() else letter
        kind = "X" if letter.isupper() else kind
        if not kinds or kinds[-1] != kind:
            kinds.append(kind)
    return "".join(kinds)


def features(word, offset):
    """Texts of the features that the word at an offset from the centre gives."""
    low = word.lower()
    texts = [f"word {low}"]
    if abs(offset) <= 1:
        texts += [f"suffix {low[-k:]}" for k in (2, 3)] + [f"shape {shape(word)}"]
    if offset == 0:
        texts += [f"prefix {low[:k]}" for k in range(1, 5)]
        texts += [f"suffix {low[-k:]}" for k in (1, 4)]
        framed = f"<{low}>"
        texts += [f"letters {framed[i : i + 3]}" for i in range(len(framed) - 2)]
        texts.append("hyphen" if "-" in word else "no hyphen")
    return [f"{offset} {text}" for text in texts]


class Windows:
    """Words in their sentences; n inputs.

    `take` gives the batch of some words as positions, as many columns as the longest
    needs and `n` where there is none, or as a sparse matrix. Each input that is there
    counts `scale`, which makes the mean square of the inputs about one.
    """

    def __init__(self, sentences, n):
        self.n, self._known = n, {}
        words = [word for sentence in sentences for word in sentence]
        self.words, self.index = self._coded(sentences)
        self._hashed = {}
        self.count = len(words)
        sample = [len(self._of(i)) for i in range(0, self.count, 97)]
        self.scale = np.float32(np.sqrt(n / np.mean(sample)))

    def _coded(self, sentences):
        """Different words, and for each word those at the offsets, by number."""
        known, index = {OUTSIDE: 0}, []
        far = max(OFFSETS)
        for sentence in sentences:
            codes = [known.setdefault(word, len(known)) for word in sentence]
            padded = [0] * far + codes + [0] * far
            index += [
                [padded[i + far + offset] for offset in OFFSETS]
                for i in range(len(codes))
            ]
        return list(known), np.array(index)

    def _of(self, i):
        """Positions of the inputs of word i, sorted."""
        parts = [
            self._one(k, offset)
            for k, offset in zip(self.index[i], OFFSETS, strict=True)
        ]
        return np.concatenate(parts)

    def _one(self, k, offset):
        key = int(k), offset
        if key not in self._hashed:
            texts = features(self.words[k], offset)
            hashes = [zlib.crc32(text.encode()) % self.n for text in texts]
            self._hashed[key] = np.array(hashes, np.int32)
        return self._hashed[key]

    def sparse(self, rows):
        """The batch as a CSR array (len(rows), n) of float32."""
        parts = [self._of(i) for i in rows]
        ends = np.concatenate([[0], np.cumsum([len(part) for part in parts])])
        positions = np.concatenate(parts)
        values = np.full(len(positions), self.scale, np.float32)
        batch = csr_array((values, positions, ends), shape=(len(rows), self.n))
        batch.sum_duplicates()
        return batch


class Batches:
    """Batches (sparse inputs, tags) of all words in random order, anew each time."""

    def __init__(self, windows, tags, size, seed):
        self.windows, self.tags, self.size = windows, tags, size
        self._rng = np.random.default_rng(seed)

    def __len__(self):
        return -(-len(self.tags) // self.size)

    def __iter__(self):
        order = self._rng.permutation(len(self.tags))
        for start in range(0, len(order), self.size):
            rows = order[start : start + self.size]
            yield self.windows.sparse(rows), self.tags[rows]
