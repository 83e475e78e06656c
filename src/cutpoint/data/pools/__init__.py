"""Pools of unlabelled items as people have them: folders, sheets, features; read whole or refused whole."""
