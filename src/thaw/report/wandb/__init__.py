"""The same in W&B: runs read from there, a workspace and a report saved there. W&B is imported only when used."""
