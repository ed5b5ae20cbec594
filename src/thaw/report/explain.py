"""Each strategy in a few words, for a reader who knows none of them."""

WHAT = {
    "scratch": "the same network from random weights",
    "feature_based": "the pretrained encoder is fixed and feeds another model",
    "frozen": "the pretrained encoder is fixed, only a new head learns",
    "gradual_unfreeze": "from pretrained weights, the head learns first, then one more layer at a time",
    "lp_ft": "from pretrained weights, the head learns first, then everything",
    "top_k": "from pretrained weights, only the top layers and the head learn",
    "bias_only": "from pretrained weights, only biases and the head learn",
    "full": "from pretrained weights, everything learns",
    "frozen_random": "control: an encoder with random weights is fixed, only a head learns",
    "tfidf": "control: counts of words and a linear model, no network",
    "majority": "control: always the most frequent answer",
}
