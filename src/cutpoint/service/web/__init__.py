"""The server and its pages. It never imports torch or scikit-learn."""
