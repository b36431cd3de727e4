"""The generator's losses on a made clip that no critic gives, each with its weight."""

import torch
from torch import Tensor

from ..batch import ClipBatch, composite_on_white, to_display_range
from ..experiment import ExperimentConfig
from ..expressions import EXPRESSIONS
from ..features import vgg19_features
from ..losses.coherence import FEWEST_FRAMES, body_rate, coherence_mismatch, face_rate
from ..losses.consistency import expression_consistency, pose_consistency
from ..losses.flow import flow_consistency
from ..losses.perceptual import READER_WEIGHTS, VGG19_WEIGHTS, feature_distance
from ..losses.reconstruction import l1, l1_inside, temporal_difference
from ..metrics.paired import union_foreground
from ..models.face import inside_square
from ..models.reader import FACE_JOINTS
from ..skeletons import CANONICAL25
from .guides import Guides, read_clips
from .precision import autocast

_VISIBLE, _SEEN = 0.75, 0.5
"""Least confidence of a joint that is commanded in plain view (behind something it has about 0.5), and of one that a
reader says it sees."""

Terms = dict[str, tuple[float, Tensor]]
"""Name in the log -> weight and loss [B]."""


def clip_terms(made: Tensor, batch: ClipBatch, config: ExperimentConfig, guides: Guides) -> Terms:
    """Every loss with a weight above 0 for which these clips are long enough.

    Args:
        made: [B, T, C, S, S], about [-1, 1], with its graph.
        batch: the real clips and what was commanded.
        guides: with the networks that the configuration asks for.
    """
    losses, real, frames = config.losses, batch.video, made.shape[1]
    terms: Terms = {}
    if losses.l1_weight:
        terms["l1"] = (losses.l1_weight, l1(made, real, losses.smooth))
    if losses.l1_foreground_weight:
        mask = union_foreground(_on_white(made.detach()), to_display_range(real))
        terms["l1_foreground"] = (losses.l1_foreground_weight, l1_inside(made, real, mask, losses.smooth))
    if losses.l1_face_weight and guides.face is not None:
        square = inside_square(batch.keypoints, batch.confidence, guides.face, made.shape[-1])
        terms["l1_face"] = (losses.l1_face_weight, l1_inside(made, real, square, losses.smooth))
    if losses.flow_weight and batch.flow is not None and batch.flow_valid is not None:
        flow = flow_consistency(made, batch.flow, batch.flow_valid, losses.smooth)
        terms["flow"] = (losses.flow_weight, flow)
    if losses.temporal_difference_weight and frames > 1:
        change = temporal_difference(made, real, losses.smooth)
        terms["temporal_difference"] = (losses.temporal_difference_weight, change)
    if losses.perceptual_weight:
        terms["perceptual"] = (losses.perceptual_weight, _perceptual(made, real, config, guides))
    if losses.pose_weight or losses.expression_weight or losses.coherence_weight:
        terms |= _read_terms(made, batch, config, guides)
    # Readers work in float32, whatever the run.
    return {name: (weight, loss.to(made.dtype)) for name, (weight, loss) in terms.items()}


def _perceptual(made: Tensor, real: Tensor, config: ExperimentConfig, guides: Guides) -> Tensor:
    """[B], by whichever network the configuration names."""
    b = len(made)
    pictures = [_on_white(v).flatten(0, 1) for v in (made, real)]
    with autocast(config, made.device):
        if config.losses.perceptual == "lpips":
            assert guides.perceptual is not None
            made_rgb, real_rgb = (2 * p - 1 for p in pictures)
            return guides.perceptual(made_rgb, real_rgb).reshape(b, -1).mean(1)
        if config.losses.perceptual == "vgg":
            assert isinstance(guides.perceptual, torch.nn.Sequential)
            layers = [vgg19_features(guides.perceptual, p) for p in pictures]
        else:
            assert guides.reader is not None
            layers = [guides.reader.early_features(p.float()) for p in pictures]
    made_features, real_features = ([m.reshape(b, -1) for m in maps] for maps in layers)
    weights = VGG19_WEIGHTS if config.losses.perceptual == "vgg" else READER_WEIGHTS
    return feature_distance(made_features, real_features, weights)


def _read_terms(made: Tensor, batch: ClipBatch, config: ExperimentConfig, guides: Guides) -> Terms:
    """What a reader says of the made clips."""
    losses, reader = config.losses, guides.reader
    assert reader is not None
    coherence = losses.coherence_weight > 0 and made.shape[1] >= FEWEST_FRAMES
    real = seen = None
    with autocast(config, made.device):
        if coherence:
            with torch.no_grad():
                real = read_clips(reader, _on_white(batch.video), face=True)
        if losses.pose_weight or coherence:
            seen = read_clips(reader, _on_white(made), coherence, real)
    terms: Terms = {}
    if losses.pose_weight:
        assert seen is not None
        own, theirs = (_places(joints, made) for joints in guides.joints)
        points, visible = batch.keypoints[:, :, own], batch.confidence[:, :, own] >= _VISIBLE
        inside = ((points >= 0) & (points <= 1)).all(dim=-1)
        pose = pose_consistency(seen.heat[:, :, theirs], points, visible & inside)
        terms["pose"] = (losses.pose_weight, pose)
    if losses.expression_weight:
        terms["expression"] = (losses.expression_weight, _missed_expression(made, batch, config, guides))
    if coherence:
        assert real is not None
        assert seen is not None
        joints = real.confidence > _SEEN
        faces = joints[:, :, _places(FACE_JOINTS, made)].all(dim=-1)
        body = [body_rate(r.keypoints, joints) for r in (seen, real)]
        mood = [face_rate(r.expression, faces) for r in (seen, real)]
        mismatch = (coherence_mismatch(*body) + coherence_mismatch(*mood)) / 2
        terms["coherence"] = (losses.coherence_weight, mismatch)
    return terms


def _missed_expression(made: Tensor, batch: ClipBatch, config: ExperimentConfig, guides: Guides) -> Tensor:
    """[B]; faces are read where they are commanded, so that a made clip is told what is wrong with its face even where
    none can be found yet."""
    assert guides.reader is not None
    b, t = made.shape[:2]
    own, theirs = (_places(joints, made) for joints in guides.joints)
    keypoints = batch.keypoints.new_zeros(b, t, len(CANONICAL25.joints), 2)
    confidence = keypoints.new_zeros(keypoints.shape[:3])
    keypoints[:, :, theirs], confidence[:, :, theirs] = (
        batch.keypoints[:, :, own],
        batch.confidence[:, :, own],
    )
    with autocast(config, made.device):
        frames = _on_white(made).flatten(0, 1).float()
        read = guides.reader.read_expression(
            frames, keypoints.flatten(0, 1).float(), confidence.flatten(0, 1).float()
        )
    classes, controls = (x.unflatten(0, (b, t)) for x in read)
    faces = confidence[:, :, _places(FACE_JOINTS, made)].amin(dim=-1) >= _VISIBLE
    return expression_consistency(classes, controls, *_commanded(batch, guides), faces)


def _commanded(batch: ClipBatch, guides: Guides) -> tuple[Tensor, Tensor]:
    """Expression [B, T, 14] in the reader's order, and which channels are labelled."""
    own, theirs = (_places(channels, batch.video) for channels in guides.channels)
    shape = (*batch.expression.shape[:2], len(EXPRESSIONS))
    values, known = (
        batch.expression.new_zeros(shape),
        torch.zeros(shape, dtype=torch.bool, device=batch.video.device),
    )
    values[..., theirs] = batch.expression[..., own]
    known[..., theirs] = batch.expression_confidence[..., own] > 0
    return values, known


def _places(numbers: tuple[int, ...], like: Tensor) -> Tensor:
    """Of an index, where ``like`` is; a plain list would be copied there with a wait."""
    return torch.tensor(numbers, dtype=torch.int64).to(like.device, non_blocking=True)


def _on_white(video: Tensor) -> Tensor:
    """[-1, 1] RGB or RGBA -> RGB in [0, 1], as people and readers see it."""
    return composite_on_white(to_display_range(video))
