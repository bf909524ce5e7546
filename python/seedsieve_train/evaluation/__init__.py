"""How well models and baselines tell viable from hopeless seeds on data that nothing was trained on."""
