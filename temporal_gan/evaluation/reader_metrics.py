"""The metrics of made clips that a reader network gives: pose, expression, identity, and how they belong together."""

from .metric_definition import MetricDefinition

POSE_METRICS = (
    MetricDefinition(
        "reader_pck@0.1",
        "Joints read in place (PCK@0.1)",
        "fraction",
        True,
        1.0,
        False,
        3,
        "Share of the visible joints that a network reads from the made picture less than a tenth of the "
        "character's box away from where they were commanded. A joint it does not see counts as wrong.",
        "Hold it against the column of the real clip saved as JPEG: what the network misses there, no clip can win.",
    ),
    MetricDefinition(
        "reader_pck@0.05",
        "Joints read in place, strict (PCK@0.05)",
        "fraction",
        True,
        1.0,
        False,
        3,
        "The same with half the distance.",
        "As above. Unlike the joints that are followed by optical flow, it does not ask for the same drawing.",
    ),
    MetricDefinition(
        "reader_keypoint_distance",
        "Distance of the joints read (AKD)",
        "px at 256",
        False,
        0.0,
        False,
        2,
        "Mean distance of the joints that were read from where they were commanded (half the L1 distance).",
        "The real clip's column is the error of the network. Only with the next row.",
    ),
    MetricDefinition(
        "reader_missing_rate",
        "Joints not read",
        "fraction",
        False,
        0.0,
        False,
        3,
        "Share of the visible joints that the network does not see in the made picture.",
        "0 is none. Hold it against the real clip's column.",
    ),
)

EXPRESSION_METRICS = (
    MetricDefinition(
        "expression_accuracy",
        "Expression as commanded",
        "fraction",
        True,
        1.0,
        False,
        3,
        "Share of frames in which a network reads the commanded expression from the face; only frames with a "
        "visible face and a command of 0.5 or more.",
        "Hold it against the real clip's column, the network's own accuracy. One of eight by chance.",
    ),
    MetricDefinition(
        "expression_macro_f1",
        "Expression, every class alike (macro F1)",
        "fraction",
        True,
        1.0,
        False,
        3,
        "The same over all clips together, with every class weighing the same: a face that is always neutral "
        "cannot live on the many neutral frames.",
        "Hold it against the real clip's column.",
    ),
    MetricDefinition(
        "expression_intensity_correlation",
        "Intensity follows the command",
        "correlation",
        True,
        1.0,
        True,
        3,
        "Correlation over time of the intensities that are read with those commanded, over what changes.",
        "1 follows exactly; a face that never changes has 0.",
    ),
    MetricDefinition(
        "expression_concordance",
        "Intensity equals the command",
        "concordance",
        True,
        1.0,
        True,
        3,
        "The same, but too weak, too strong and shifted intensities count against it too (Lin's concordance).",
        "Far below the row above: the right moments, the wrong strength.",
    ),
    MetricDefinition(
        "expression_transition_ratio",
        "Duration of a change, made / commanded",
        "ratio",
        None,
        1.0,
        True,
        2,
        "How long the face takes from one expression to the next, made divided by commanded.",
        "Hold it against the real clip's column: a network changes its mind faster than a face its expression. Below "
        "that column the face snaps, above it drags.",
    ),
    MetricDefinition(
        "expression_flip_rate",
        "Flips of a held expression",
        "share of frame pairs",
        False,
        0.0,
        True,
        3,
        "How often the expression that is read changes from one frame to the next while the command holds still.",
        "0 is steady. A frozen face has 0 too: only beside the accuracy.",
    ),
)

IDENTITY_METRICS = (
    MetricDefinition(
        "identity_consistency",
        "Still the same character",
        "cosine",
        True,
        1.0,
        False,
        3,
        "How alike a network finds the made frames and frames of other real clips of the same character.",
        "The real clip's column is the ceiling, the other character's is a stranger.",
    ),
    MetricDefinition(
        "subject_consistency",
        "Same character throughout (VBench)",
        "cosine",
        True,
        1.0,
        True,
        3,
        "How alike each frame is to the previous and the first one, in what tells characters apart.",
        "1 for a frozen clip: it says nothing without the motion ratio.",
    ),
)

EDIT_METRICS = (
    MetricDefinition(
        "expression_edit_moves_pose",
        "Another expression moves the pose by",
        "of real differences",
        False,
        0.0,
        False,
        3,
        "The same clip is generated again with another expression: how far do the joints move that should stay?",
        "0 is untouched, 1 as far as random real frames lie apart. Who ignores the expression has 0 too: only beside "
        "how well it is shown.",
    ),
    MetricDefinition(
        "expression_edit_moves_identity",
        "Another expression changes who it is by",
        "of real differences",
        False,
        0.0,
        False,
        3,
        "The same, for what tells characters apart.",
        "0 is untouched, 1 as far as random real frames lie apart.",
    ),
    MetricDefinition(
        "pose_edit_moves_expression",
        "Another pose changes the expression by",
        "of real differences",
        False,
        0.0,
        False,
        3,
        "The same clip is generated again with the pose of the next one: how far does the expression change that "
        "should stay?",
        "0 is untouched, 1 as far as random real frames lie apart. A network's own errors move with the pose too: it "
        "never comes down to 0.",
    ),
)

COHERENCE_METRICS = (
    MetricDefinition(
        "command_lag_frames",
        "The face comes late by",
        "frames",
        None,
        0.0,
        True,
        0,
        "By how many frames the face follows its command, over all clips together.",
        "0 is on time. It means something only where the next row is high.",
    ),
    MetricDefinition(
        "command_lag_peak",
        "Correlation with the command at that lag",
        "correlation",
        True,
        1.0,
        True,
        3,
        "How well the face follows its command once the delay is taken out.",
        "Hold it against the real clip's column.",
    ),
    MetricDefinition(
        "swapped_label_auc",
        "Own command recognised",
        "probability",
        True,
        1.0,
        True,
        3,
        "How often a made face fits its own command better than that of another clip.",
        "0.5 is no control at all. It says which command was followed and hardly when.",
    ),
    MetricDefinition(
        "event_alignment",
        "Face and body start together",
        "",
        None,
        None,
        True,
        3,
        "How near the moments at which the face begins to change lie to those at which the body begins to move.",
        "No score by itself: right is about that of the real clips, which stands beside it with that of faces dealt to "
        "other clips' bodies. Shuffled frames start something all the time and match by chance.",
    ),
    MetricDefinition(
        "coherence_gap",
        "Face and body correlate, off the real by",
        "correlation",
        False,
        0.0,
        True,
        3,
        "Difference between made and real clips in how strongly motion of the body and change of the face go "
        "together. The p-value says whether in the made clips they go together at all.",
        "0 is as in the real clips.",
    ),
)

POOLED_METRICS = ("expression_macro_f1", *(metric.name for metric in COHERENCE_METRICS))
"""They have one value for all clips together and none for a clip."""

READER_METRICS = (
    *POSE_METRICS,
    *EXPRESSION_METRICS,
    *IDENTITY_METRICS,
    *EDIT_METRICS,
    *COHERENCE_METRICS,
)
"""In the order of the report."""
