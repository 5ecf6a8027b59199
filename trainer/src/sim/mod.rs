//! A world to drive in: roads, weather, camera, vehicle, an expert driver, and the score of a drive.
