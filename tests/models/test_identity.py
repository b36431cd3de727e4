"""Who a character is, read from references: any order, any number, and for characters never seen in training."""

from dataclasses import replace

import pytest
import torch
from pydantic import ValidationError
from tiny_networks import random_batch, tiny_config, tiny_domain, tiny_generator

from temporal_gan.models.identity import IdentityEncoder


def encoder() -> IdentityEncoder:
    torch.manual_seed(0)
    return IdentityEncoder(3, 4, 6).requires_grad_(False)


def test_the_code_is_the_mean_over_the_pictures_that_are_there() -> None:
    read, pictures = encoder(), torch.rand(2, 3, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    there = torch.tensor([[True, True, False], [False, False, False]])
    codes = read(pictures, there)
    alone = [read(pictures[:1, i : i + 1], torch.ones(1, 1, dtype=torch.bool))[0] for i in range(2)]
    torch.testing.assert_close(codes[0], (alone[0] + alone[1]) / 2, rtol=0, atol=1e-6)
    assert not codes[1].any()
    order = [1, 0, 2]
    torch.testing.assert_close(read(pictures[:, order], there[:, order]), codes, rtol=0, atol=1e-6)


def test_a_missing_picture_may_be_anything() -> None:
    read, pictures = encoder(), torch.rand(1, 2, 3, 32, 32)
    pictures[:, 1] = float("nan")
    assert bool(read(pictures, torch.tensor([[True, False]])).isfinite().all())


@torch.no_grad()
@pytest.mark.parametrize("identity", ["references", "both", "embedding"])
def test_a_character_without_an_embedding_is_made_from_its_references(identity: str) -> None:
    generator = tiny_generator(identity=identity, references=2)
    batch = random_batch(generator.domain, 1, 2, references=2)
    noise = torch.randn(1, 4)

    def make(character: int) -> torch.Tensor:
        made: torch.Tensor = generator(
            generator.tell(replace(batch, character=torch.tensor([character]))), noise
        )[0]
        return made

    assert bool(make(-1).isfinite().all())
    # Who has an index matters only where there is an embedding.
    assert torch.equal(make(0), make(-1)) == (identity == "references")
    assert torch.equal(make(0), make(1)) == (identity == "references")


@torch.no_grad()
def test_the_references_say_who_it_is_beside_the_warp() -> None:
    generator = tiny_generator(identity="references", references=2)
    told = generator.tell(random_batch(generator.domain, 1, 2, references=2))
    assert told.pictures is not None
    other = replace(told, pictures=-told.pictures)
    noise = torch.randn(1, 4)
    assert float((generator(told, noise)[0] - generator(other, noise)[0]).abs().max()) > 1e-4


def test_a_generator_of_references_has_no_embedding_and_learns_from_pictures() -> None:
    generator = tiny_generator(tiny_domain(), identity="references", references=2).requires_grad_(True)
    assert generator.character is None
    made, _ = generator(generator.tell(random_batch(generator.domain, 2, 2, references=2)), torch.randn(2, 4))
    made.square().mean().backward()
    assert generator.identity is not None
    assert all(p.grad is not None and p.grad.any() for p in generator.identity.parameters())


def test_reading_references_needs_some() -> None:
    with pytest.raises(ValidationError, match="references must be 1 or more"):
        tiny_config(identity="both", references=0)
