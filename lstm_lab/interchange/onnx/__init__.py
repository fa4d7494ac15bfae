"""ONNX files of LSTM, GRU and RNN nodes: read, written, and run one node at a time."""
