"""The tokenizer: byte pairs in CLIP's format, whose merges make each word of captions one token."""

from __future__ import annotations

import json
from collections import Counter
from random import Random
from typing import Any

from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, trainers
from transformers import CLIPTokenizer

from generator.training.captions import Captions
from generator.training.concepts import kinds
from generator.training.words import without_accents

LENGTH = 32
ENTRIES = 3400  # at most
END_OF_WORD = "</w>"
START, END = "<|startoftext|>", "<|endoftext|>"
# As CLIPTokenizer splits (transformers, models/clip/tokenization_clip.py).
PIECES = r"""<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"""
# What people type besides: unknown to the model, but not to be read letter by letter.
TYPED = (
    "the and or of in on with a an un una el la los las de del al y con sin por para photo image picture "
    "foto imagen dibujo is are one four five six cuatro cinco uno my your mi tu happy sad angry big small "
    "grande pequeno nsfw easynegative blurry ugly borroso feo low quality baja calidad bad worst text "
    "watermark texto sky cielo sea mar night noche day dia realistic watercolor acuarela cartoon sitting "
    "running eating sentado corriendo comiendo children ninos class clase park parque beach playa wearing"
)


def train(captions: Captions, scenes: int = 10_000) -> Any:
    counts = _words(captions, scenes)
    splitting = [
        pre_tokenizers.Split(Regex(PIECES), behavior="removed", invert=True),
        pre_tokenizers.ByteLevel(add_prefix_space=False),
    ]
    tokenizer = Tokenizer(models.BPE(end_of_word_suffix=END_OF_WORD))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Lowercase()])
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(splitting)
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(
        vocab_size=ENTRIES,
        min_frequency=1,
        initial_alphabet=letters,
        end_of_word_suffix=END_OF_WORD,
        show_progress=False,
    )
    repeated = (word for word, count in counts.items() for _ in range(min(count, 200)))
    tokenizer.train_from_iterator(repeated, trainer)
    return _clip_tokenizer(letters, json.loads(tokenizer.to_str())["model"]["merges"])


def _words(captions: Captions, scenes: int) -> Counter[str]:
    random, counts = Random(1), Counter[str]()
    for _ in range(scenes):
        scene = captions.composer.scene(random)
        counts.update(captions.write(scene, random).lower().replace(",", " ").split())
    taught = captions.composer.concepts
    for noun in (*taught, *kinds(taught)):
        for form in (form for forms in noun.forms().values() for form in forms):
            counts.update(dict.fromkeys(f"{form} {without_accents(form)}".split(), 5))
    counts.update(dict.fromkeys(TYPED.split(), 2))
    return counts


def _clip_tokenizer(letters: list[str], merges: list[Any]) -> Any:
    """With CLIP's order of entries: letters, letters at a word's end, merges, start, end."""
    pairs = [tuple(each.split(" ")) if isinstance(each, str) else tuple(each) for each in merges]
    entries = [*letters, *(letter + END_OF_WORD for letter in letters)]
    entries += [first + second for first, second in pairs] + [START, END]
    vocabulary = {entry: index for index, entry in enumerate(dict.fromkeys(entries))}
    return CLIPTokenizer(vocab=vocabulary, merges=pairs, model_max_length=LENGTH)


def tokenise(tokenizer: Any, texts: list[str]) -> Any:
    """(texts, 32) token ids."""
    fields = tokenizer(
        texts, padding="max_length", max_length=LENGTH, truncation=True, return_tensors="pt"
    )
    return fields["input_ids"]
