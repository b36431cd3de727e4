"""The checkerboard measure against patterns whose spectrum is known, and against what must not move it."""

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from temporal_gan.errors import UserError
from temporal_gan.metrics.spectrum import checkerboard_ratio, power_spectrum
from temporal_gan.models.layers import Upsample

SIZE = 64


def drawing(seed: int = 0) -> Tensor:
    """[1, 2, 3, 64, 64]: noise whose power falls with the square of the frequency, as that of pictures does."""
    noise = torch.randn(
        1, 2, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(seed), dtype=torch.float64
    )
    down = torch.fft.fftfreq(SIZE, dtype=torch.float64)
    frequency = torch.hypot(down[:, None], down[None]).clamp_min(1 / SIZE)
    picture = torch.fft.ifft2(torch.fft.fft2(noise) / frequency).real
    return (0.5 + 0.1 * picture / picture.std()).clamp(0, 1).float()


def pattern(kind: str) -> Tensor:
    """[64, 64] of 1 and -1."""
    row, column = torch.meshgrid(torch.arange(SIZE), torch.arange(SIZE), indexing="ij")
    wave = {"chess": row + column, "upright": column, "level": row}[kind]
    return 1.0 - 2.0 * (wave % 2)


def test_a_cosine_has_its_power_at_its_own_frequency() -> None:
    column = torch.arange(SIZE, dtype=torch.float64)
    wave = 0.5 + 0.25 * torch.cos(2 * torch.pi * 8 / SIZE * column)
    power = power_spectrum(wave.expand(1, 1, 3, SIZE, SIZE))[0]
    # Amplitude 1/4, half of it on either side, times the sums of the periodic Hann window, 32 each way.
    assert float(power[0, 8]) == pytest.approx((0.25 / 2 * 32 * 32) ** 2, rel=1e-9)
    assert float(power[0, -8]) == pytest.approx(float(power[0, 8]), rel=1e-9)
    assert float(power[20, 20]) < 1e-12 * float(power[0, 8])


@pytest.mark.parametrize("kind", ["chess", "upright", "level"])
def test_a_faint_pattern_stands_out_and_more_of_it_more(kind: str) -> None:
    real = drawing()
    found = [float(checkerboard_ratio((real + a * pattern(kind)).clamp(0, 1), real)) for a in (0, 0.01, 0.02)]
    assert found[0] == pytest.approx(1, abs=1e-9)
    assert 1.5 < found[1] < 60
    assert found[1] * 1.2 < found[2] < found[1] * 4.1


def test_neither_noise_nor_contrast_moves_it_and_blur_lowers_it() -> None:
    real = drawing()
    noisy = (real + 0.01 * torch.randn(real.shape, generator=torch.Generator().manual_seed(1))).clamp(0, 1)
    assert float(checkerboard_ratio(noisy, real)) == pytest.approx(1, abs=0.35)
    assert float(checkerboard_ratio(0.5 * real, real)) == pytest.approx(1, abs=1e-6)
    # Lines made stronger by the highest frequencies are no pattern.
    twice = functional.pad(real.flatten(0, 1), (1, 1, 1, 1), mode="replicate")
    blurred = functional.avg_pool2d(functional.avg_pool2d(twice, 2, 1), 2, 1).view_as(real)
    sharpened = (2 * real - blurred).clamp(0, 1)
    assert float(checkerboard_ratio(sharpened, real)) == pytest.approx(1, abs=0.15)
    # Two boxes of width 2: the spectrum falls all the way to its end, where it is 0.
    assert float(checkerboard_ratio(blurred, real)) < 0.2


def test_transposed_convolutions_are_caught_and_resizing_is_not() -> None:
    """Untrained layers on smooth maps: the very artefact of Odena et al."""
    torch.manual_seed(0)
    coarse = functional.interpolate(torch.rand(1, 4, 8, 8), (32, 32), mode="bicubic").clamp(0, 1)
    smooth = functional.interpolate(coarse[:, :3], (SIZE, SIZE), mode="bilinear").clamp(0, 1)[:, None]
    found = {}
    for kind in ("deconv", "resize"):
        made = Upsample(kind, 4, 3)(coarse).detach()  # type: ignore[arg-type]
        made = ((made - made.amin()) / (made.amax() - made.amin()))[:, None]
        found[kind] = float(checkerboard_ratio(made, smooth))
    assert found["deconv"] > 20 * found["resize"]


def test_small_and_empty_clips_have_no_value() -> None:
    page = torch.ones(2, 1, 3, SIZE, SIZE)
    assert checkerboard_ratio(page, page).isnan().all()
    assert checkerboard_ratio(page[..., :16, :16], page[..., :16, :16]).isnan().all()
    with pytest.raises(UserError, match="expected equal shapes"):
        checkerboard_ratio(page, page[:1])


def test_clips_of_a_batch_do_not_see_each_other() -> None:
    real = torch.cat([drawing(0), drawing(1)])
    made = (real + 0.01 * pattern("chess")).clamp(0, 1)
    together, alone = checkerboard_ratio(made, real), checkerboard_ratio(made[1:], real[1:])
    assert float(together[1]) == pytest.approx(float(alone[0]), rel=1e-12)
